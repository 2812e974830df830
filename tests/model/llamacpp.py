"""llama.cpp's own server as a process: `python llamacpp.py WEIGHTS` prints its address.

It ends with its standard input. The chat template is invented: SmolLM2's own has no tools, and
llama.cpp ignores the tools of a request if the template does.
"""

import sys

from xllamacpp import CommonParams, Server

TEMPLATE = r"""
{%- set system = messages[0].content if messages[0].role == 'system' else '' %}
{%- if tools %}
    {{- '<|im_start|>system\n' + system + '\nYou can call these functions:\n' }}
    {%- for tool in tools %}{{- tool | tojson + '\n' }}{%- endfor %}
    {{- 'To call one, write <tool_call>\n{"name": its name, "arguments": its parameters}\n' }}
    {{- '</tool_call><|im_end|>\n' }}
{%- elif system %}
    {{- '<|im_start|>system\n' + system + '<|im_end|>\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role == 'system' %}
        {%- if not loop.first %}{{- raise_exception('a second system message') }}{%- endif %}
    {%- elif message.role == 'tool' %}
        {{- '<|im_start|>user\n<tool_response>\n' + message.content }}
        {{- '\n</tool_response><|im_end|>\n' }}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\n' + (message.content or '') }}
        {%- for call in message.tool_calls or [] %}
            {{- '\n<tool_call>\n{"name": "' + call.function.name + '", "arguments": ' }}
            {{- call.function.arguments | tojson }}
            {{- '}\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}
"""


def main(weights: str) -> None:
    parameters = CommonParams()
    parameters.model.path = weights
    parameters.model_alias = {"smollm2"}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.ui = False
    parameters.verbosity = 1
    parameters.fit_params = False
    parameters.warmup = False
    parameters.n_ctx = 2048
    parameters.n_parallel = 1
    parameters.cache_ram_mib = 0
    parameters.chat_template = TEMPLATE
    for threads in (parameters.cpuparams, parameters.cpuparams_batch):
        threads.n_threads = 1
        threads.poll = 0
    server = Server(parameters)
    print(server.listening_address, flush=True)
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main(sys.argv[1])

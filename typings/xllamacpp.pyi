"""The part of xllamacpp that we use; the package ships no types."""

class ModelParams:
    path: str

class ThreadParams:
    n_threads: int
    poll: int

class CommonParams:
    model: ModelParams
    model_alias: set[str]
    hostnames: list[str]
    port: int
    cors_origins: str
    ui: bool
    verbosity: int
    fit_params: bool
    warmup: bool
    n_ctx: int
    n_parallel: int
    cache_ram_mib: int
    chat_template: str
    cpuparams: ThreadParams
    cpuparams_batch: ThreadParams

class Server:
    def __init__(self, params: CommonParams) -> None: ...
    @property
    def listening_address(self) -> str: ...

"""What LiteLLM's configuration knows and this gateway does not, so that it can say so."""

from __future__ import annotations

__all__ = [
    "ENTRY",
    "FILE",
    "GENERAL_SETTINGS",
    "MCP_SERVER",
    "MODEL_INFO",
    "PARAMS",
    "VENDORS",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FILE = _words("""
    litellm_settings router_settings environment_variables include callback_settings
    credential_list guardrails mcp_aliases vector_store_registry prompts search_tools files_settings
    finetune_settings assistant_settings default_vertex_config
""")

ENTRY = _words("tpm rpm")

PARAMS = _words("""
    rpm tpm max_parallel_requests stream_timeout cooldown_time allowed_fails order organization
    api_version custom_llm_provider litellm_credential_name additional_drop_params
    allowed_openai_params modify_params mock_response tags num_retries fallbacks
    context_window_fallbacks default_fallbacks max_budget budget_duration input_cost_per_token
    output_cost_per_token input_cost_per_second output_cost_per_second
    cache_control_injection_points use_in_pass_through use_litellm_proxy
    merge_reasoning_content_in_choices use_chat_completions_api auto_router_config
    auto_router_default_model auto_router_embedding_model model_info
    configurable_clientside_auth_params guardrails prompt_id extra_body temperature top_p
    max_tokens max_completion_tokens presence_penalty frequency_penalty seed stop stream user
    response_format reasoning_effort thinking caching region_name watsonx_region_name project
    space_id azure_ad_token tenant_id client_id client_secret azure_scope azure_username
    azure_password s3_bucket_name gcs_bucket_name ssl_verify base_model vector_store_id
""")

VENDORS = ("aws_", "vertex_")
"""How the parameters begin that are settings of one provider."""

MODEL_INFO = _words("""
    base_model input_cost_per_token output_cost_per_token input_cost_per_second
    output_cost_per_second input_cost_per_token_batches output_cost_per_token_batches
    cache_read_input_token_cost cache_creation_input_token_cost max_tokens max_input_tokens
    max_output_tokens supports_vision supports_function_calling supports_parallel_function_calling
    supports_response_schema supports_system_messages supports_tool_choice supports_prompt_caching
    supports_reasoning supports_audio_input supports_audio_output supports_pdf_input
    supports_web_search supports_computer_use supported_environments access_groups team_id
    team_public_model_name health_check_model health_check_timeout health_check_max_tokens
    disable_background_health_check litellm_provider description version tier db_model created_by
    created_at updated_by updated_at
""")

MCP_SERVER = _words("""
    server_id server_name alias mcp_info extra_headers disallowed_tools allowed_params
    tool_name_to_display_name tool_name_to_description access_groups allow_all_keys env_vars
    header_variables available_on_public_internet delegate_auth_to_upstream oauth_passthrough
    dcr_bridge client_id client_secret oauth2_flow scopes issuer authorization_url token_url
    registration_url token_endpoint_auth_method token_exchange_endpoint audience subject_token_type
    token_exchange_profile token_validation token_storage_ttl_seconds aws_access_key_id
    aws_secret_access_key aws_session_token aws_region_name aws_service_name aws_role_name
    aws_session_name instructions spec_path spec_version is_byok byok_description
    byok_api_key_help_url allow_sampling allow_elicitation max_concurrent_requests
""")

GENERAL_SETTINGS = _words("""
    completion_model database_url database_type database_args database_connection_pool_limit
    database_connection_timeout allow_requests_on_db_unavailable disable_spend_logs
    disable_spend_updates disable_error_logs disable_reset_budget
    disable_adding_master_key_hash_to_db disable_master_key_return
    disable_retry_on_max_parallel_request_limit_error disable_prisma_schema_update
    enforce_user_param enforced_params enforced_file_expires_after allowed_routes
    admin_only_routes public_routes allowed_ips use_x_forwarded_for
    reject_clientside_metadata_tags alerting alerting_threshold alerting_args alert_types
    alert_to_webhook_url spend_report_frequency proxy_batch_write_at
    proxy_budget_rescheduler_min_time proxy_budget_rescheduler_max_time
    proxy_config_reload_interval store_model_in_db supported_db_objects
    store_prompts_in_spend_logs maximum_spend_logs_retention_period
    maximum_spend_logs_retention_interval use_redis_transaction_buffer max_parallel_requests
    global_max_parallel_requests max_request_size_mb max_response_size_mb infer_model_from_keys
    background_health_checks use_background_health_checks health_check_interval
    health_check_details custom_auth custom_auth_settings custom_key_generate custom_key_update
    custom_sso custom_ui_sso_sign_in_handler enable_jwt_auth enable_oauth2_auth
    enable_oauth2_proxy_auth oauth2_config_mappings litellm_jwtauth litellm_key_header_name
    key_management_system key_management_settings use_google_kms use_azure_key_vault load_aws_kms
    ui_access_mode default_team_disabled default_user_params pass_through_endpoints
    pass_through_request_timeout forward_client_headers_to_llm_api forward_openai_org_id
    add_user_information_to_llm_headers user_header_name user_header_mappings
    override_openai_response_id_security role_permissions role_mappings user_mcp_management_mode
    mcp_internal_ip_ranges always_include_stream_usage token_rate_limit_type otel
    allow_client_side_credentials image_generation_model embedding_model moderation_model
""")

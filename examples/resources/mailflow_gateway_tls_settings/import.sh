terraform import mailflow_gateway_tls_settings.this 'tls_settings'

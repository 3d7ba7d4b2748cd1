terraform import mailflow_exchange_dkim_signing_config.contoso 'contoso.com'

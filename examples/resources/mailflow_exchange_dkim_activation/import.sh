terraform import mailflow_exchange_dkim_activation.contoso 'contoso.com'

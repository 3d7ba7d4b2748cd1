terraform import mailflow_exchange_accepted_domain.contoso 'contoso.com'

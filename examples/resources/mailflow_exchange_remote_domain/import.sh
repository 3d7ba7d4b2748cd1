terraform import mailflow_exchange_remote_domain.all 'Default'

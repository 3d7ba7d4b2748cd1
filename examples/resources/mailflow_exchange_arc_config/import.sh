terraform import mailflow_exchange_arc_config.this 'arc_config'

terraform import mailflow_exchange_transport_rule.outbound 'Outbound to Cisco CES'

terraform import mailflow_exchange_outbound_connector.to_gateway 'Outbound to Cisco CES'

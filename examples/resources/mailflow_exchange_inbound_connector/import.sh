terraform import mailflow_exchange_inbound_connector.from_gateway 'Inbound from Cisco CES'

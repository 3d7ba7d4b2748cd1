import {
  to = mailflow_exchange_inbound_connector.from_gateway
  id = "Inbound from Cisco CES"
}

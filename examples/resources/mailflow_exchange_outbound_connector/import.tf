import {
  to = mailflow_exchange_outbound_connector.to_gateway
  id = "Outbound to Cisco CES"
}

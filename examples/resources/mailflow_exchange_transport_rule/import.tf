import {
  to = mailflow_exchange_transport_rule.outbound
  id = "Outbound to Cisco CES"
}

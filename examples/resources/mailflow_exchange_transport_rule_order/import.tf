import {
  to = mailflow_exchange_transport_rule_order.this
  id = "transport_rule_order"
}

import {
  to = mailflow_gateway_message_filter_order.this
  id = "message_filter_order"
}

import {
  to = mailflow_gateway_sender_group_order.incoming
  id = "IncomingMail"
}

import {
  to = mailflow_gateway_message_filter.office365_outbound
  id = "office365_outbound"
}

data "mailflow_gateway_message_filter" "office365_outbound" {
  name = "office365_outbound"
}

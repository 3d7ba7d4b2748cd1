variable "relay_secret" {
  type      = string
  sensitive = true
}

resource "mailflow_gateway_message_filter" "office365_outbound" {
  name              = "office365_outbound"
  script_wo         = provider::mailflow::relay_filter_script("RELAY_O365", "X-OUTBOUND-AUTH", [var.relay_secret])
  script_wo_version = 1 # raise it to send a new script
}

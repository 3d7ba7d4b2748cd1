variable "relay_secret" {
  type      = string
  sensitive = true
}

resource "mailflow_gateway_message_filter" "office365_outbound" {
  name              = "office365_outbound"
  script_wo         = provider::mailflow::relay_filter_script("RELAY_O365", "X-OUTBOUND-AUTH", [var.relay_secret])
  script_wo_version = 1
}

resource "mailflow_gateway_message_filter" "newsletters" {
  name   = "newsletters"
  script = "if (mail-from == '@news.example.com$') { skip-spamcheck(); }"
}

# Filters that are not named here may stand anywhere.
resource "mailflow_gateway_message_filter_order" "this" {
  names = [
    mailflow_gateway_message_filter.office365_outbound.name,
    mailflow_gateway_message_filter.newsletters.name,
  ]
}

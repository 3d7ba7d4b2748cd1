# What holds in every mail flow policy of the listener that does not say otherwise.
resource "mailflow_gateway_listener_defaults" "incoming" {
  listener           = "IncomingMail"
  tls                = "preferred"
  max_message_size   = 20971520
  dhap_limit         = 25
  spf_verification   = true
  dkim_verification  = true
  dmarc_verification = true
}

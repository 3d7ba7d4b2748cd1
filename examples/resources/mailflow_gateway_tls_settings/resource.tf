resource "mailflow_gateway_tls_settings" "this" {
  inbound  = { methods = ["TLSv1.2"], ciphers = "HIGH:!aNULL:!eNULL:@STRENGTH" }
  outbound = { methods = ["TLSv1.2"], ciphers = "HIGH:MEDIUM:!aNULL:!eNULL:@STRENGTH" }
}

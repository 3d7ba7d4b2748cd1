resource "mailflow_gateway_tls_settings" "this" {
  inbound_methods  = ["TLSv1.2"]
  inbound_ciphers  = "HIGH:!aNULL:!eNULL:@STRENGTH"
  outbound_methods = ["TLSv1.2"]
  outbound_ciphers = "HIGH:MEDIUM:!aNULL:!eNULL:@STRENGTH"
}

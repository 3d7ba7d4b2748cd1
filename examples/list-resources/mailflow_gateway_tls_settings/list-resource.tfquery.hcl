list "mailflow_gateway_tls_settings" "this" {
  provider         = mailflow
  include_resource = true
}

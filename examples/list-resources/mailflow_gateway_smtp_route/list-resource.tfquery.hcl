list "mailflow_gateway_smtp_route" "example" {
  provider         = mailflow
  include_resource = true
  limit            = 1000

  config {
    domain = "*example*"
  }
}

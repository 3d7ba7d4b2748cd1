list "mailflow_gateway_destination_control" "example" {
  provider         = mailflow
  include_resource = true
  limit            = 1000

  config {
    domain = "*example*"
  }
}

list "mailflow_gateway_listener_defaults" "all" {
  provider         = mailflow
  include_resource = true
  limit            = 1000
}

list "mailflow_gateway_message_filter" "active" {
  provider         = mailflow
  include_resource = true
  limit            = 1000

  config {
    active = true
  }
}

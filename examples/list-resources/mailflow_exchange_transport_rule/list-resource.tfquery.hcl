list "mailflow_exchange_transport_rule" "ces" {
  provider         = mailflow
  include_resource = true
  limit            = 1000

  config {
    name = "*CES*"
  }
}

list "mailflow_exchange_transport_rule_order" "this" {
  provider         = mailflow
  include_resource = true
}

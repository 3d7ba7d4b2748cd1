data "mailflow_exchange_transport_rule_order" "all" {
  id = "transport_rule_order" # all rules, from the first to act to the last
}

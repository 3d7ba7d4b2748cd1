list "mailflow_exchange_arc_config" "this" {
  provider         = mailflow
  include_resource = true
}

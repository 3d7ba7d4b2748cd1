list "mailflow_exchange_connection_filter" "this" {
  provider         = mailflow
  include_resource = true
}

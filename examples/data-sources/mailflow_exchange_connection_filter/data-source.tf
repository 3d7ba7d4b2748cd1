data "mailflow_exchange_connection_filter" "this" {}

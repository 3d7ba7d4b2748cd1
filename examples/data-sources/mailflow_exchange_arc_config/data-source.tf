data "mailflow_exchange_arc_config" "this" {}

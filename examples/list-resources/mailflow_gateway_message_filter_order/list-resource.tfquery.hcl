list "mailflow_gateway_message_filter_order" "this" {
  provider         = mailflow
  include_resource = true
}

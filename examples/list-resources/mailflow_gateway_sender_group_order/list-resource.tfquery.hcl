list "mailflow_gateway_sender_group_order" "this" {
  provider         = mailflow
  include_resource = true
}

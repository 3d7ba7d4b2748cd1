data "mailflow_gateway_message_filter_order" "this" {} # all filters, from the first to the last

resource "mailflow_exchange_connection_filter" "this" {
  ip_allow_list = ["203.0.113.10"] # all others are removed; destroying puts them back
  ip_block_list = ["198.51.100.0/24", "192.0.2.1-192.0.2.20"]
}

import {
  to = mailflow_exchange_connection_filter.this
  id = "connection_filter"
}

import {
  to = mailflow_exchange_arc_config.this
  id = "arc_config"
}

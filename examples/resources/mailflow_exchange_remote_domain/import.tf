import {
  to = mailflow_exchange_remote_domain.all
  id = "Default"
}

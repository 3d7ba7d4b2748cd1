import {
  to = mailflow_exchange_accepted_domain.contoso
  id = "contoso.com"
}

import {
  to = mailflow_exchange_dkim_activation.contoso
  id = "contoso.com"
}

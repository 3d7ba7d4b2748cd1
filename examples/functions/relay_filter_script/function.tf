# While a secret is changed, the filter accepts the old and the new one.
output "script" {
  value     = provider::mailflow::relay_filter_script("RELAY_O365", "X-OUTBOUND-AUTH", [var.new_secret, var.old_secret])
  sensitive = true
}

variable "new_secret" {
  type      = string
  sensitive = true
}

variable "old_secret" {
  type      = string
  sensitive = true
}

variable "domain" {
  description = "The domain whose mail goes through the gateway."
  type        = string
}

variable "gateway_inbound_addresses" {
  description = "The addresses from which the gateways deliver to Microsoft 365 (data interface 1)."
  type        = list(string)
}

variable "gateway_outbound_hosts" {
  description = "The addresses or host names at which the gateways take outbound mail (data interface 2)."
  type        = list(string)
}

variable "inbound_listener" {
  description = "The gateway's listener that takes mail from the Internet."
  type        = string
  default     = "IncomingMail"
}

variable "outbound_listener" {
  description = "The gateway's listener that takes mail from Microsoft 365."
  type        = string
  default     = "OutgoingMail"
}

variable "relay_secret" {
  description = "The secret that marks mail of this tenant: letters and digits only, at least 8."
  type        = string
  sensitive   = true
}

variable "other_relay_secrets" {
  description = "Secrets that the gateway accepts as well, while the secret is changed: first the new one, then the old one, then none."
  type        = list(string)
  default     = []
  sensitive   = true
}

variable "test_recipient" {
  description = "An address outside the organization, to validate the outbound connector with."
  type        = string
}

variable "mx_moved" {
  description = "Whether the domain's MX records lead to the gateways, and old ones have run out. Mail that comes to Microsoft 365 another way is then refused; before, that would be all mail."
  type        = bool
}

variable "tenant_id" {
  description = "GUID or domain of the Microsoft 365 tenant."
  type        = string
  default     = null
}

variable "client_id" {
  description = "Application (client) ID of the app registration."
  type        = string
  default     = null
}

variable "client_secret" {
  description = "Client secret of the app registration."
  type        = string
  default     = null
  sensitive   = true
}

variable "gateway_host" {
  description = "Host name or address of the gateway's SSH service."
  type        = string
  default     = null
}

variable "gateway_username" {
  description = "The gateway account that Terraform uses; give it one of its own."
  type        = string
  default     = null
}

variable "gateway_password" {
  description = "The passphrase of that account."
  type        = string
  default     = null
  sensitive   = true
}

variable "gateway_host_keys" {
  description = "The gateway's SSH host key fingerprints (SHA256:...) or known_hosts lines."
  type        = set(string)
  default     = null
}

variable "domain" {
  description = "The domain whose mail goes through the gateway."
  type        = string

  validation {
    condition     = can(regex("^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?[.])+[A-Za-z][A-Za-z0-9-]*$", var.domain))
    error_message = "Write one domain, such as example.com: no @, no blank, no dot at the end."
  }
}

variable "gateway_inbound_addresses" {
  description = "The addresses from which the gateways deliver to Microsoft 365 (data interface 1)."
  type        = list(string)

  validation {
    condition     = length(var.gateway_inbound_addresses) > 0
    error_message = "Microsoft 365 recognizes the gateways by these addresses: give at least one."
  }
  validation {
    # Exchange Online takes IPv4 only: single addresses, or ranges from /24 to /32.
    condition = alltrue([
      for address in var.gateway_inbound_addresses :
      can(cidrnetmask(length(split("/", address)) == 1 ? "${address}/32" : address)) &&
      try(tonumber(split("/", address)[1]) >= 24, true)
    ])
    error_message = "Exchange Online takes IPv4 addresses and ranges from /24 to /32 only."
  }
}

variable "gateway_outbound_hosts" {
  description = "The addresses or host names at which the gateways take outbound mail (data interface 2)."
  type        = list(string)

  validation {
    condition     = length(var.gateway_outbound_hosts) > 0
    error_message = "Microsoft 365 sends outbound mail there: give at least one."
  }
}

variable "delivery_host" {
  description = "The host at which Microsoft 365 takes mail for the domain, as its admin center shows it. null reads it from the tenant."
  type        = string
  default     = null
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

# Ephemeral: Terraform keeps the secrets neither in a plan nor in the state.
variable "relay_secret" {
  description = "The secret that marks mail of this tenant: letters and digits only, at least 8."
  type        = string
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = can(regex("^[A-Za-z0-9]{8,}$", var.relay_secret))
    error_message = "The secret has letters and digits only, at least 8 of them: the gateway compares it as a regular expression."
  }
}

variable "other_relay_secrets" {
  description = "Secrets that the gateway accepts as well, while the secret is changed: first the new one, then the old one, then none."
  type        = list(string)
  default     = []
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = alltrue([for secret in var.other_relay_secrets : can(regex("^[A-Za-z0-9]{8,}$", secret))])
    error_message = "Each secret has letters and digits only, at least 8 of them."
  }
}

variable "relay_secret_version" {
  description = "Raise it by one with each change of relay_secret or other_relay_secrets: Terraform does not see the secrets themselves."
  type        = number
  default     = 1
}

variable "test_recipient" {
  description = "An address outside the organization, to validate the outbound connector with."
  type        = string
}

# No default: true while the MX records still lead elsewhere refuses all mail for the domain.
variable "mx_moved" {
  description = "Whether the domain's MX records lead to the gateways. Only then may Microsoft 365 refuse mail that comes another way."
  type        = bool
  nullable    = false
}

variable "filtering" {
  description = <<-EOT
    How Microsoft 365 treats mail from the gateways. "bypass": it does not filter it again, as in Cisco's guide. "enhanced": it looks behind the
    gateways for the true sender (Enhanced Filtering for Connectors), which Microsoft advises today.
  EOT
  type        = string
  default     = "bypass"

  validation {
    condition     = contains(["bypass", "enhanced"], var.filtering)
    error_message = "Write \"bypass\" or \"enhanced\"."
  }
}

variable "reject_direct_send" {
  description = <<-EOT
    Whether Exchange Online refuses mail that claims to come from one of the tenant's own domains and arrives without a connector (Direct Send).
    Microsoft advises true where no printer or application sends that way. null leaves the setting as it stands.
  EOT
  type        = bool
  default     = null
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
  ephemeral   = true
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
  ephemeral   = true
}

variable "gateway_host_keys" {
  description = "The gateway's SSH host key fingerprints (SHA256:...) or known_hosts lines."
  type        = set(string)
  default     = null
}

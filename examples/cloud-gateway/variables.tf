variable "domain" {
  description = "The domain whose mail goes through the gateway."
  type        = string
}

variable "delivery_host" {
  description = "The host at which Microsoft 365 takes mail for the domain, as its admin center shows it."
  type        = string
}

variable "inbound_listener" {
  description = "The listener that takes mail from the Internet."
  type        = string
  default     = "MailFlow"
}

variable "gateway_host" {
  description = "The gateway's host as the proxy sees it."
  type        = string
}

variable "gateway_port" {
  description = "The gateway's SSH port."
  type        = number
  default     = 22
}

variable "gateway_username" {
  description = "The gateway account that Terraform uses; give it one of its own."
  type        = string
}

variable "gateway_password" {
  description = "The passphrase of that account."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "gateway_host_keys" {
  description = "The gateway's SSH host key fingerprints (SHA256:...) or known_hosts lines."
  type        = set(string)
}

variable "proxy_host" {
  description = "Cisco's SSH proxy, as the letter of the allocation names it."
  type        = string
}

variable "proxy_port" {
  description = "The proxy's SSH port."
  type        = number
  default     = 22
}

variable "proxy_username" {
  description = "The account at the proxy."
  type        = string
}

variable "proxy_password" {
  description = "The passphrase of that account, where it has one."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
}

variable "proxy_private_key" {
  description = "The private key whose public half Cisco has, as text."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
}

variable "proxy_host_keys" {
  description = "The proxy's SSH host key fingerprints (SHA256:...) or known_hosts lines."
  type        = set(string)

  validation {
    condition     = length(var.proxy_host_keys) > 0
    error_message = "An unknown proxy is refused: give its host keys."
  }
}

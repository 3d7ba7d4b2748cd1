terraform import mailflow_gateway_destination_control.m365 'example.com'

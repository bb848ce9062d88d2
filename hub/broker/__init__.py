"""RabbitMQ: the link, the topology, and where a broker is found."""

#!/bin/bash
# Owns what the stand-in of the official Kafka image does when it starts, which is what that one does with the same classes: makes the
# configuration of variables, formats the storage once, and becomes the broker.
set -eu
java=(java -cp '/opt/kafka/libs/*' -Dlog4j2.configurationFile=/opt/kafka/config/log4j2.yaml)
said=$("${java[@]}" -XX:TieredStopAtLevel=1 kafka.docker.KafkaDockerWrapper setup --default-configs-dir /etc/kafka/docker \
  --mounted-configs-dir /mnt/shared/config --final-configs-dir /opt/kafka/config 2>&1) ||
  case $said in *'already formatted'*) ;; *) printf '%s\n' "$said" && exit 1 ;; esac
# shellcheck disable=SC2086
exec "${java[@]}" $KAFKA_HEAP_OPTS kafka.Kafka /opt/kafka/config/server.properties

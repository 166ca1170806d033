#!/bin/bash
# Owns what the stand-in of the official Kafka image does when it starts, which is what that one does with the same classes and the same
# variables: makes the configuration of them, formats the storage once, and becomes the broker.
set -euf
java=(java -cp '/opt/kafka/libs/*')
# shellcheck disable=SC2086
said=$("${java[@]}" -XX:TieredStopAtLevel=1 ${KAFKA_LOG4J_OPTS:-} kafka.docker.KafkaDockerWrapper setup \
  --default-configs-dir /etc/kafka/docker --mounted-configs-dir /mnt/shared/config --final-configs-dir /opt/kafka/config 2>&1) ||
  case $said in *'already formatted'*) ;; *) printf '%s\n' "$said" && exit 1 ;; esac
gc_log=-Xlog:gc*:file=/opt/kafka/logs/kafkaServer-gc.log:time,tags:filecount=10,filesize=100M
# shellcheck disable=SC2086
exec "${java[@]}" $KAFKA_HEAP_OPTS ${KAFKA_GC_LOG_OPTS:-$gc_log} \
  ${KAFKA_LOG4J_OPTS:--Dlog4j2.configurationFile=/opt/kafka/config/log4j2.yaml} kafka.Kafka /opt/kafka/config/server.properties

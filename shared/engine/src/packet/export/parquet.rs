//! Tables as Parquet: typed columns, moments as nanosecond timestamps in UTC, zstd. One row group is held at a time.

use std::borrow::Borrow;
use std::io::{Error, Result, Write};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;
use trafficlab_shared::model::capture::anomaly::Anomaly;
use trafficlab_shared::model::capture::connection::Connection;
use trafficlab_shared::model::capture::window::Window;

use super::blank;
use super::row::{self, Cell, Row};

/// Rows of a group; some 70 columns of windows make this a few megabytes.
const GROUP: usize = 8192;

/// Writes windows with their ids.
///
/// # Errors
/// What the writer says.
pub fn windows<W: Borrow<Window>>(out: impl Write + Send, windows: impl IntoIterator<Item = (u64, W)>) -> Result<()> {
    let mut table = Table::new(out, &row::window(0, &Window::default()))?;
    windows.into_iter().try_for_each(|(id, window)| table.push(&row::window(id, window.borrow())))?;
    table.finish()
}

/// Writes anomalies.
///
/// # Errors
/// What the writer says.
pub fn anomalies<A: Borrow<Anomaly>>(out: impl Write + Send, anomalies: impl IntoIterator<Item = A>) -> Result<()> {
    let mut table = Table::new(out, &row::anomaly(&blank::anomaly()))?;
    anomalies.into_iter().try_for_each(|anomaly| table.push(&row::anomaly(anomaly.borrow())))?;
    table.finish()
}

/// Writes connections.
///
/// # Errors
/// What the writer says.
pub fn connections<C: Borrow<Connection>>(
    out: impl Write + Send,
    connections: impl IntoIterator<Item = C>,
) -> Result<()> {
    let mut table = Table::new(out, &row::connection(&blank::connection()))?;
    connections.into_iter().try_for_each(|connection| table.push(&row::connection(connection.borrow())))?;
    table.finish()
}

/// The values of one column of the row group at hand; absent ones have level 0 and no value.
enum Column {
    Whole { values: Vec<i64>, levels: Vec<i16> },
    Real { values: Vec<f64>, levels: Vec<i16> },
    Time { values: Vec<i64> },
    Text { values: Vec<ByteArray>, levels: Vec<i16> },
}

struct Table<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Vec<Column>,
    rows: usize,
}

impl<W: Write + Send> Table<W> {
    fn new(out: W, like: &Row<'_>) -> Result<Self> {
        let columns = like.iter().map(|(_, cell)| Column::like(cell)).collect();
        let level = ZstdLevel::try_new(3).map_err(fault)?;
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
        let writer = SerializedFileWriter::new(out, Arc::new(schema(like)?), Arc::new(properties)).map_err(fault)?;
        Ok(Self { writer, columns, rows: 0 })
    }

    fn push(&mut self, row: &Row<'_>) -> Result<()> {
        self.columns.iter_mut().zip(row).for_each(|(column, (_, cell))| column.push(cell));
        self.rows += 1;
        if self.rows < GROUP { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<()> {
        let mut group = self.writer.next_row_group().map_err(fault)?;
        for column in &mut self.columns {
            let Some(mut writer) = group.next_column().map_err(fault)? else { break };
            column.write(&mut writer).map_err(fault)?;
            writer.close().map_err(fault)?;
        }
        group.close().map_err(fault)?;
        self.rows = 0;
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        if self.rows > 0 {
            self.flush()?;
        }
        self.writer.close().map(drop).map_err(fault)
    }
}

impl Column {
    const fn like(cell: &Cell<'_>) -> Self {
        match cell {
            Cell::Whole(_) => Self::Whole { values: Vec::new(), levels: Vec::new() },
            Cell::Real(_) => Self::Real { values: Vec::new(), levels: Vec::new() },
            Cell::Time(_) => Self::Time { values: Vec::new() },
            Cell::Text(_) => Self::Text { values: Vec::new(), levels: Vec::new() },
        }
    }

    fn push(&mut self, cell: &Cell<'_>) {
        match (self, cell) {
            (Self::Whole { values, levels }, Cell::Whole(value)) => {
                levels.push(value.is_some().into());
                values.extend(*value);
            }
            (Self::Real { values, levels }, Cell::Real(value)) => {
                levels.push(value.is_some().into());
                values.extend(*value);
            }
            (Self::Time { values }, Cell::Time(value)) => values.push(*value),
            (Self::Text { values, levels }, Cell::Text(value)) => {
                levels.push(value.is_some().into());
                values.extend(value.as_deref().map(ByteArray::from));
            }
            _ => debug_assert!(false, "a column keeps its kind"),
        }
    }

    fn write(&mut self, writer: &mut SerializedColumnWriter<'_>) -> std::result::Result<(), ParquetError> {
        match self {
            Self::Whole { values, levels } => {
                writer.typed::<Int64Type>().write_batch(values, Some(levels), None)?;
                (values.clear(), levels.clear())
            }
            Self::Real { values, levels } => {
                writer.typed::<DoubleType>().write_batch(values, Some(levels), None)?;
                (values.clear(), levels.clear())
            }
            Self::Time { values } => {
                writer.typed::<Int64Type>().write_batch(values, None, None)?;
                (values.clear(), ())
            }
            Self::Text { values, levels } => {
                writer.typed::<ByteArrayType>().write_batch(values, Some(levels), None)?;
                (values.clear(), levels.clear())
            }
        };
        Ok(())
    }
}

fn schema(like: &Row<'_>) -> Result<Type> {
    let fields: std::result::Result<Vec<_>, ParquetError> = like.iter().map(|(name, cell)| field(name, cell)).collect();
    Type::group_type_builder("trafficlab").with_fields(fields.map_err(fault)?).build().map_err(fault)
}

fn field(name: &str, cell: &Cell<'_>) -> std::result::Result<Arc<Type>, ParquetError> {
    let nanoseconds = LogicalType::timestamp(true, TimeUnit::NANOS);
    let (physical, logical, repetition) = match cell {
        Cell::Whole(_) => (Physical::INT64, None, Repetition::OPTIONAL),
        Cell::Real(_) => (Physical::DOUBLE, None, Repetition::OPTIONAL),
        Cell::Time(_) => (Physical::INT64, Some(nanoseconds), Repetition::REQUIRED),
        Cell::Text(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String), Repetition::OPTIONAL),
    };
    let builder = Type::primitive_type_builder(name, physical).with_repetition(repetition).with_logical_type(logical);
    builder.build().map(Arc::new)
}

/// The writer's own fault where there is one, so that a closed pipe is seen as such.
pub(crate) fn fault(error: ParquetError) -> Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<Error>() {
            Ok(own) => *own,
            Err(other) => Error::other(other),
        },
        other => Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use bytes::Bytes;
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::{Row, RowAccessor as _};

    use super::*;
    use crate::packet::export::samples;

    fn read(bytes: Vec<u8>) -> Vec<Row> {
        let reader = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
        reader.get_row_iter(None).unwrap().map(|row| row.unwrap()).collect()
    }

    fn place(row: &Row, name: &str) -> usize {
        row.get_column_iter().position(|(column, _)| column == name).unwrap()
    }

    #[test]
    fn rows_come_back_with_their_types() {
        let mut out = Vec::new();
        windows(&mut out, [(4, samples::window()), (5, Window::default())]).unwrap();
        let rows = read(out);
        assert_eq!(rows.len(), 2);
        let row = rows.first().unwrap();
        assert_eq!(row.get_long(place(row, "window_id")).unwrap(), 4);
        assert_eq!(row.get_long(place(row, "window_index")).unwrap(), -3);
        assert!((row.get_double(place(row, "p95_rtt_ms")).unwrap() - 90.1).abs() < 1e-9);
        assert_eq!(row.get_string(place(row, "top_src")).unwrap(), "203.0.113.66");
        let empty = rows.get(1).unwrap();
        assert!(empty.get_double(place(empty, "mean_rtt_ms")).is_err(), "absent is null, not 0");
    }

    #[test]
    fn more_rows_than_a_group_are_all_there() {
        let mut out = Vec::new();
        let many = (0_u64..).zip(std::iter::repeat_n(Window::default(), GROUP + 3));
        windows(&mut out, many).unwrap();
        let reader = SerializedFileReader::new(Bytes::from(out.clone())).unwrap();
        assert_eq!(reader.num_row_groups(), 2);
        let ids: Vec<i64> = read(out).iter().map(|row| row.get_long(0).unwrap()).collect();
        assert!(ids.iter().zip(0..).all(|(id, expected)| *id == expected) && ids.len() == GROUP + 3);
    }

    #[test]
    fn anomalies_connections_and_nothing_are_tables_too() {
        let mut out = Vec::new();
        anomalies(&mut out, [samples::anomaly(), samples::plain_anomaly()]).unwrap();
        let rows = read(out);
        let row = rows.first().unwrap();
        assert_eq!(row.get_string(place(row, "type")).unwrap(), "packet_loss");
        let mut out = Vec::new();
        connections(&mut out, samples::connections()).unwrap();
        assert_eq!(read(out).len(), 3);
        let mut out = Vec::new();
        connections(&mut out, Vec::<Connection>::new()).unwrap();
        assert_eq!(read(out).len(), 0);
    }

    #[test]
    fn a_closed_pipe_is_seen_as_such() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> Result<()> {
                Ok(())
            }
        }
        let fault = windows(Closed, [(0, samples::window())]).unwrap_err();
        assert_eq!(fault.kind(), std::io::ErrorKind::BrokenPipe);
    }
}

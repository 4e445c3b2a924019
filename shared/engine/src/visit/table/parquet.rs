//! Visits as Parquet: moments as millisecond timestamps in UTC, revenue as a decimal number, everything else as texts.

use std::io::{Result, Write};
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;

use super::field::{Cell, fields};
use crate::packet::export::parquet::fault;
use crate::visit::record::Visit;

/// Rows of a group.
pub(super) const GROUP: usize = 8192;

/// Bytes of texts of a group; a group with longer ones has fewer rows.
const GROUP_BYTES: usize = 8 << 20;

/// Digits of a revenue before and after the point.
const DIGITS: i32 = 18;
const FRACTION: i32 = 6;

/// The values of one column of the group at hand; absent ones have level 0 and no value.
#[derive(Debug)]
enum Column {
    Time(Vec<i64>),
    Money { values: Vec<i64>, levels: Vec<i16> },
    Text { values: Vec<ByteArray>, levels: Vec<i16> },
}

pub(super) struct Table<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
}

impl<W: Write + Send> std::fmt::Debug for Table<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl<W: Write + Send> Table<W> {
    pub(super) fn new(out: W) -> Result<Self> {
        let like = fields(&Visit::default());
        let level = ZstdLevel::try_new(3).map_err(fault)?;
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
        let columns = like.iter().map(|(_, cell)| Column::like(*cell)).collect();
        let types: std::result::Result<Vec<_>, ParquetError> = like.into_iter().map(column_type).collect();
        let schema = Type::group_type_builder("visits").with_fields(types.map_err(fault)?).build().map_err(fault)?;
        let writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties)).map_err(fault)?;
        Ok(Self { writer, columns, rows: 0, bytes: 0 })
    }

    pub(super) fn push(&mut self, visit: &Visit<'_>) -> Result<()> {
        let cells = fields(visit);
        self.bytes += self.columns.iter_mut().zip(cells).map(|(column, (_, cell))| column.push(cell)).sum::<usize>();
        self.rows += 1;
        if self.rows < GROUP && self.bytes < GROUP_BYTES { Ok(()) } else { self.group() }
    }

    fn group(&mut self) -> Result<()> {
        let mut group = self.writer.next_row_group().map_err(fault)?;
        for column in &mut self.columns {
            let Some(mut writer) = group.next_column().map_err(fault)? else { break };
            column.write(&mut writer).map_err(fault)?;
            writer.close().map_err(fault)?;
        }
        group.close().map_err(fault)?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<W> {
        if self.rows > 0 {
            self.group()?;
        }
        self.writer.into_inner().map_err(fault)
    }
}

impl Column {
    const fn like(cell: Cell<'_>) -> Self {
        match cell {
            Cell::Time(_) => Self::Time(Vec::new()),
            Cell::Money(_) => Self::Money { values: Vec::new(), levels: Vec::new() },
            Cell::Digits(_) | Cell::Text(_) | Cell::Object(_) => Self::Text { values: Vec::new(), levels: Vec::new() },
        }
    }

    /// Answers how many bytes of text came in.
    fn push(&mut self, cell: Cell<'_>) -> usize {
        match (self, cell) {
            (Self::Time(values), Cell::Time(value)) => values.push(value),
            (Self::Money { values, levels }, Cell::Money(value)) => {
                levels.push(value.is_some().into());
                values.extend(value);
            }
            (Self::Text { values, levels }, Cell::Text(text) | Cell::Object(text)) => {
                levels.push((!text.is_empty()).into());
                values.extend((!text.is_empty()).then(|| ByteArray::from(text)));
                return text.len();
            }
            (Self::Text { values, levels }, Cell::Digits(digits)) => {
                levels.push(1);
                values.push(ByteArray::from(format!("{digits:016x}").into_bytes()));
                return 16;
            }
            _ => debug_assert!(false, "a column keeps its kind"),
        }
        0
    }

    fn write(&mut self, writer: &mut SerializedColumnWriter<'_>) -> std::result::Result<(), ParquetError> {
        match self {
            Self::Time(values) => {
                writer.typed::<Int64Type>().write_batch(values, None, None)?;
                values.clear();
            }
            Self::Money { values, levels } => {
                writer.typed::<Int64Type>().write_batch(values, Some(levels), None)?;
                values.clear();
                levels.clear();
            }
            Self::Text { values, levels } => {
                writer.typed::<ByteArrayType>().write_batch(values, Some(levels), None)?;
                values.clear();
                levels.clear();
            }
        }
        Ok(())
    }
}

fn column_type((name, cell): (&'static str, Cell<'_>)) -> std::result::Result<Arc<Type>, ParquetError> {
    let builder = |physical| Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
    let builder = match cell {
        Cell::Time(_) => {
            let moment = LogicalType::timestamp(true, TimeUnit::MILLIS);
            builder(Physical::INT64).with_repetition(Repetition::REQUIRED).with_logical_type(Some(moment))
        }
        Cell::Money(_) => {
            let money = LogicalType::decimal(FRACTION, DIGITS);
            let builder = builder(Physical::INT64).with_logical_type(Some(money)).with_precision(DIGITS);
            builder.with_scale(FRACTION).with_converted_type(ConvertedType::DECIMAL)
        }
        Cell::Digits(_) | Cell::Text(_) | Cell::Object(_) => {
            builder(Physical::BYTE_ARRAY).with_logical_type(Some(LogicalType::String))
        }
    };
    builder.build().map(Arc::new)
}
